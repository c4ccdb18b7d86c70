"""Last.fm: 2K users with play counts and tags (HetRec 2011), 1K users with every play and its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.protocol.arrays import Int32

_MOST_TAGS = 5
_PLAYS = ("user", "time", "artist id", "artist", "track id", "track")


class LastFm2kSpec(FolderSpec):
    """Last.fm of HetRec 2011: user_artists.dat and, if there, artists.dat and the tags."""

    summary: ClassVar[str] = "Last.fm 2K (HetRec 2011): artists per user with play counts, without times"
    loader: ClassVar[str] = "lastfm-2k"

    rating: Literal["none", "plays"] = Field(
        "none", description="'plays': the number of plays stands as the rating; 'none': having played counts."
    )

    def read(self, files: Files) -> Dataset:
        """Read the pairs of user and artist."""
        import pyarrow as pa

        from genrec_eval.data.loaders.parts import finish
        from genrec_eval.data.tables.log import Log
        from genrec_eval.data.tables.reading import Source

        path, artists = files.need("user_artists.dat"), files.find("artists.dat")
        tags, tagged = files.find("tags.dat"), files.find("user_taggedartists.dat")
        names = {"user": "userID", "item": "artistID", "rating": "weight"}
        source = Source(path=path, delimiter="\t", types=dict.fromkeys(names.values(), pa.int64()))
        user, item, weight = source.read(list(names.values())).columns
        items = None
        if artists:
            table = Source(path=artists, delimiter="\t", quoted=False).read(["id", "name"])
            items = pa.table({"item": table["id"], "title": table["name"]})
            if tags and tagged:
                items = items.append_column("genres", _genres(items["item"], tags, tagged))
        return finish(
            Log(
                user=user,
                item=item,
                rating=weight if self.rating == "plays" else None,
                timestamp=None,
                where=source.where,
                names=names,
            ),
            loader=self.loader,
            files=[file for file in (path, artists, tags, tagged) if file],
            options=self.model_dump(),
            item_table=items,
            licence="Last.fm: non-commercial research",
            source="https://grouplens.org/datasets/hetrec-2011/",
        )


def _genres(artists: pa.ChunkedArray, tags: Path, tagged: Path) -> pa.Array:
    """The tags that most users gave to each artist, at most five."""
    import numpy as np
    import pyarrow as pa

    from genrec_eval.data.tables.ids import ids_of
    from genrec_eval.data.tables.reading import Source
    from genrec_eval.protocol.arrays import Vocabulary

    texts = Source(path=tags, delimiter="\t", encoding="latin-1", quoted=False).read(["tagID", "tagValue"])
    given = Source(path=tagged, delimiter="\t").read(["artistID", "tagID"])
    place, tag = (
        Vocabulary(ids_of(ids)[1]).encode(column)
        for ids, column in ((artists, given["artistID"]), (texts["tagID"], given["tagID"]))
    )
    known = (place >= 0) & (tag >= 0)
    pairs, counts = np.unique(place[known].astype(np.int64) * texts.num_rows + tag[known], return_counts=True)
    artist, tag = pairs // texts.num_rows, pairs % texts.num_rows
    order = np.lexsort((tag, -counts, artist))
    names = texts["tagValue"].to_pylist()
    lists: list[list[str]] = [[] for _ in range(len(artists))]
    for at in order.tolist():
        if len(lists[artist[at]]) < _MOST_TAGS:
            lists[artist[at]].append(names[tag[at]])
    return pa.array(lists, pa.list_(pa.string()))


class LastFm1kSpec(FolderSpec):
    """Last.fm 1K: every play of a thousand users, with gender, age and country where they said so."""

    summary: ClassVar[str] = "Last.fm 1K: 19 million plays with times, gender, age and country of the users"
    loader: ClassVar[str] = "lastfm-1k"

    item: Literal["artist", "track"] = Field("artist", description="What is recommended.")

    def read(self, files: Files) -> Dataset:
        """Read the plays; an item without a MusicBrainz id goes by its name."""
        import pyarrow as pa

        from genrec_eval.data.loaders.parts import finish, first_of_each, refused_rows
        from genrec_eval.data.tables.log import Log
        from genrec_eval.data.tables.reading import Source

        path = files.need("userid-timestamp-artid-artname-traid-traname.tsv")
        profiles = files.find("userid-profile.tsv")
        refused: list[str] = []
        coded = pa.dictionary(pa.int32(), pa.string())  # a few texts, repeated over millions of rows
        source = Source(
            path=path,
            names=_PLAYS,
            quoted=False,
            refused=refused,
            types={name: coded for name in _PLAYS if name != "time"},
        )
        table = source.read(_PLAYS if self.item == "track" else _PLAYS[:4])
        ids, columns = _tracks(table) if self.item == "track" else _artists(table)
        return finish(
            Log(
                user=table["user"],
                item=pa.chunked_array([ids]),
                rating=None,
                timestamp=table["time"],
                where=source.where,
                names={"timestamp": "time", "item": self.item},
            ),
            loader=self.loader,
            files=[file for file in (path, profiles) if file],
            options=self.model_dump(),
            item_table=first_of_each(pa.chunked_array([ids]), columns, "item"),
            user_table=_profiles(profiles) if profiles else None,
            groups=("gender", "age", "country") if profiles else (),
            licence="Last.fm: non-commercial use",
            source="http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html",
            warnings=refused_rows(refused),
        )


def _artists(table: pa.Table) -> tuple[pa.DictionaryArray, dict[str, pa.ChunkedArray]]:
    """Ids of the artists played and, for each play, what the artist is called."""
    import pyarrow as pa

    from genrec_eval.data.tables.ids import ids_of

    artist = ids_of(table["artist"])
    return _either(ids_of(table["artist id"]), artist), {"title": pa.chunked_array([_column(*artist)])}


def _tracks(table: pa.Table) -> tuple[pa.DictionaryArray, dict[str, pa.ChunkedArray]]:
    """Ids of the tracks played and, for each play, what track and artist are called."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.tables.ids import ids_of

    artist, artists = ids_of(table["artist"])
    track, tracks = ids_of(table["track"])
    pair = np.where((artist < 0) | (track < 0), -1, artist.astype(np.int64) * len(tracks) + track)
    distinct, codes = np.unique(pair, return_inverse=True)
    if len(distinct) and distinct[0] < 0:
        distinct, codes = distinct[1:], codes - 1
    parts = (
        artists.take(pa.array(distinct // max(len(tracks), 1))),
        tracks.take(pa.array(distinct % max(len(tracks), 1))),
    )
    title = codes.astype(np.int32), pc.binary_join_element_wise(*parts, " – ")
    columns = {"title": pa.chunked_array([_column(*title)])}
    columns["provider"] = pa.chunked_array([_column(artist, artists)])
    return _either(ids_of(table["track id"]), title), columns


def _either(first: tuple[Int32, pa.Array], other: tuple[Int32, pa.Array]) -> pa.DictionaryArray:
    """Ids of the first kind, and where one is missing that of the other; no text is made per row."""
    import numpy as np
    import pyarrow as pa

    codes = np.where(first[0] >= 0, first[0], np.where(other[0] >= 0, other[0] + len(first[1]), -1))
    return _column(codes.astype(np.int32), pa.concat_arrays([first[1], other[1]]))


def _column(codes: Int32, ids: pa.Array) -> pa.DictionaryArray:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), ids)


def _profiles(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.loaders.ages import plausible
    from genrec_eval.data.loaders.parts import cleaned
    from genrec_eval.data.tables.reading import Source

    source = Source(path=path, quoted=False)
    first = next((name for name in source.columns() if name.lstrip("#") == "id"), "#id")
    table = source.read([first, "gender", "age", "country"])
    ages = [plausible(age) for age in table["age"].to_pylist()]
    return pa.table(
        {
            "user": table[first],
            "gender": pc.utf8_upper(cleaned(table["gender"])),
            "age": pa.array(ages, pa.string()),
            "country": cleaned(table["country"]),
        }
    )
