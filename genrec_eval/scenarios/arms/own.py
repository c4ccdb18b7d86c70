"""What people are themselves: the value of an attribute that the table of users holds for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.protocol.arrays import Int32

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.scenarios.arms.attributes import Attribute


def own_values(
    scenario: str, dataset: Dataset, users: Int32, name: str, attribute: Attribute
) -> tuple[Int32, str]:
    """int32[n], which value each user has, -1 where nobody knows; and what to say of it.

    Raises
    ------
    UsageError
        When a column that was asked for is not there, or tells nobody from anybody.
    """
    known = dataset.user_table.column_names[1:]
    column = attribute.column or name
    unknown = np.full(len(users), -1, np.int32)
    if column not in known:
        if attribute.column is None:
            return unknown, f"not known: the users have no column '{name}'"
        raise UsageError(
            f"scenario '{scenario}': attribute '{name}': the users of data set '{dataset.name}' have no"
            f" column '{column}'{did_you_mean(column, known)} (columns: {', '.join(known) or 'none'})"
        )
    try:
        said = dataset.user_table.column(column).combine_chunks().cast(pa.string())
    except pa.ArrowException:
        raise UsageError(
            f"scenario '{scenario}': attribute '{name}': the column '{column}' of data set"
            f" '{dataset.name}' holds neither text nor numbers; name another column"
        ) from None
    coded = said.dictionary_encode()
    place = {value: code for code, value in enumerate(attribute.values)}
    words = coded.dictionary.to_pylist()
    meant = [place.get(attribute.own.get(word, word), -1) for word in words]
    of = np.append(np.array(meant, np.int32), np.int32(-1))
    everybody = of[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)].astype(np.int32)
    codes = everybody[users]
    found = int(np.count_nonzero(codes >= 0))
    strange = [repr(word[:40]) for word, code in zip(words, meant, strict=True) if code < 0]
    if attribute.column is not None:
        _refuse_useless(scenario, dataset, name, attribute, everybody, strange)
    note = f"known of {found:,} of {len(users):,} users"
    return codes, note + (f"; no value is {', '.join(strange[:5])} of the column" if strange else "")


def _refuse_useless(
    scenario: str, dataset: Dataset, name: str, attribute: Attribute, codes: Int32, strange: list[str]
) -> None:
    """A column that was asked for, and tells nobody from anybody."""
    where = (
        f"scenario '{scenario}': attribute '{name}': the column '{attribute.column}' of data set"
        f" '{dataset.name}'"
    )
    if not (codes >= 0).any():
        raise UsageError(
            f"{where} holds none of the values ({', '.join(strange[:5]) or 'nothing at all'}, and not"
            f" {', '.join(attribute.values[:5])}); say what they stand for, as in"
            f" own: {{{strange[0] if strange else 'x'}: {attribute.values[0]}}}"
        )
    if len(codes) > 1 and (codes == codes[0]).all():
        raise UsageError(
            f"{where} says '{attribute.values[codes[0]]}' of everybody, so that no two people can be told"
            " apart by it; drop the column to ask about the values all the same"
        )
