"""Words from which the synthetic world makes its titles, names and descriptions."""

from __future__ import annotations


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(","))


GENRES = _list(
    """Action, Adventure, Animation, Comedy, Crime, Documentary, Drama, Fantasy, Horror, Musical, Mystery,
    Romance, Science Fiction, War"""
)

ADJECTIVES = _list(
    """Amber, Ashen, Bitter, Borrowed, Brazen, Broken, Burning, Careless, Copper, Crooked, Crimson, Distant,
    Drowned, Empty, Faded, Feathered, Fearless, Feral, Forgotten, Fragile, Frozen, Gentle, Gilded, Glass,
    Golden, Hidden, Hollow, Hungry, Idle, Iron, Ivory, Jagged, Lonely, Lost, Lucky, Marble, Midnight, Moonlit,
    Narrow, Nameless, Patient, Paper, Pale, Perfect, Quiet, Quick, Rebel, Reckless, Restless, Rusted, Sacred,
    Salted, Scarlet, Second, Secret, Shattered, Silent, Silver, Sleeping, Slow, Sober, Stolen, Stubborn,
    Sunken, Tangled, Tender, Thirsty, Twisted, Uncertain, Unspoken, Velvet, Violet, Wandering, Weary, Wicked,
    Winter, Wooden, Yellow"""
)

NOUNS = _list(
    """Accord, Almanac, Anchor, Apprentice, Archive, Arrow, Atlas, Avalanche, Balcony, Ballad, Bargain,
    Beacon, Bell, Bicycle, Border, Bridge, Candle, Captain, Caravan, Cartographer, Chandelier, Choir, Cipher,
    Clockmaker, Comet, Compass, Confession, Courier, Crossing, Crown, Dancer, Daughter, Debt, Detective,
    Diamond, Door, Echo, Eclipse, Ember, Empire, Engine, Envoy, Errand, Expedition, Falcon, Ferry, Festival,
    Fiddler, Fortune, Fountain, Gambit, Garden, Ghost, Giant, Glacier, Governor, Harbour, Harvest, Heir,
    Heron, Horizon, Hourglass, Island, Jury, Kingdom, Labyrinth, Lantern, Letter, Librarian, Lighthouse,
    Locket, Machine, Map, Marathon, Masquerade, Melody, Merchant, Meteor, Migration, Mirror, Monsoon,
    Mountain, Oath, Orchard, Orchestra, Outlaw, Painter, Parade, Passenger, Pilot, Pirate, Portrait, Promise,
    Prophet, Quarry, Queen, Raven, Reef, Refuge, Rehearsal, Riddle, River, Rival, Satellite, Season, Shadow,
    Shepherd, Shipwreck, Signal, Sister, Song, Spark, Station, Storm, Stranger, Summit, Surgeon, Swindler,
    Tailor, Telegram, Tempest, Thief, Thunder, Tide, Tower, Traveller, Treaty, Tunnel, Umbrella, Valley,
    Verdict, Violin, Voyage, Waltz, Watchman, Wedding, Whisper, Widow, Window, Witness, Wolf"""
)

PLACES = _list(
    """Aldermoor, Ambrecht, Askeby, Bellamar, Branwick, Carrowmere, Castellane, Coldharrow, Corvane, Dallowby,
    Drumfell, Elderglen, Fallowmere, Farrowgate, Fenwater, Galdhavn, Glasmoor, Grantley, Greywater, Halvering,
    Harrowdale, Highmarsh, Hollin, Islemark, Jessamy, Kestrel Bay, Kilbrannan, Lacewing, Larkhollow, Lindemar,
    Lowenfeld, Marrowby, Merrin, Monterosa, Morvane, Nethermere, Norrland, Oakhaven, Ostmere, Pellworth,
    Penhallow, Quillon, Ravensea, Redwater, Rookhaven, Saltmarsh, Sankt Orlo, Solvane, Stonebrook, Tallis,
    Tarnow, Thornbury, Umberley, Valdres, Varrow, Verimont, Wexhollow, Whitmere, Yarrowby, Zellin"""
)

NAMES = _list(
    """Ada, Amadou, Anselm, Asha, Beatriz, Bela, Caspian, Celeste, Chidi, Clara, Dario, Delphine, Dmitri,
    Edith, Elias, Esra, Fatou, Felix, Fiona, Gideon, Greta, Hana, Henrik, Ilse, Imani, Ingrid, Isolde, Ivo,
    Jamila, Jasper, Jin, Joaquin, Kaito, Karin, Leila, Leopold, Lucia, Mabel, Magnus, Marisol, Mateo, Mei,
    Milo, Nadia, Niko, Noor, Olga, Oscar, Paloma, Petra, Priya, Quentin, Rafael, Rosa, Samir, Selma, Soren,
    Tamsin, Theo, Ursula, Viktor, Wanda, Yara, Yusuf, Zelda"""
)

ROLES = _list(
    """accountant, actor, archivist, baker, beekeeper, boxer, carpenter, chess player, codebreaker, conductor,
    diver, farmer, fisherman, forger, gardener, geologist, glassblower, judge, lighthouse keeper, locksmith,
    mechanic, midwife, musician, night nurse, novelist, pathfinder, pilot, puppeteer, radio host,
    retired general, schoolteacher, scientist, ship's cook, smuggler, stage magician, student, tailor,
    translator, watchmaker"""
)

PLIGHTS = _list(
    """must choose between two loyalties, uncovers a long buried secret, returns after twenty years,
    takes a job that is not what it seems, inherits a debt and an enemy, races against the last train,
    searches for a missing sister, falls for a rival, hides a stranger from the law,
    is given one last chance, wakes up with someone else's memories, follows a map nobody believes in,
    makes a bargain that cannot be kept, crosses a border on foot, finds a letter that was never sent,
    builds a machine out of scrap, loses everything in one night, agrees to one final performance,
    keeps watch over a sleeping city, learns to live with a ghost"""
)

TONES = _list(
    """bittersweet, bold, brooding, dreamlike, fast, gentle, grim, handsome, intimate, playful, sharp,
    slow-burning, tense, warm, wry"""
)

PROVIDERS = _list(
    """Albatross, Anvil, Blue Door, Cinder, Copperleaf, Crosswind, Daybreak, Driftwood, Evergreen, Fathom,
    Firebrand, Foxglove, Granite, Halcyon, Ironwood, Juniper, Kingfisher, Larkspur, Longshore, Magpie,
    Meridian, Moonrise, Nightjar, Northlight, Obsidian, Overcast, Paper Moon, Quicksilver, Redstone,
    Riverbend, Saffron, Seventh Wave, Skylark, Stillwater, Sundial, Tamarack, Thistle, Undertow, Vantage,
    Wayfarer, Whitecap, Wildrose"""
)

PROVIDER_KINDS = _list("Pictures, Films, Studios, Entertainment, Media, Productions")

SURNAMES = _list(
    """Abara, Achterberg, Almeida, Anand, Aubert, Bachmann, Balogun, Barros, Beaumont, Bergstrom, Brandt,
    Caldera, Castellan, Chaudhry, Cordova, Dahl, Delacroix, Demir, Drummond, Eriksen, Falk, Farrokh, Fontaine,
    Gallo, Greaves, Haddad, Halloran, Hashimoto, Ibarra, Jankowski, Kaplan, Kimura, Kowalczyk, Laurent,
    Lindqvist, Makinen, Marchetti, Mbeki, Moreau, Nakagawa, Novak, Odell, Okafor, Olander, Petrov, Quispe,
    Ramsay, Reyes, Rossini, Sandoval, Sorensen, Tanaka, Teller, Ueda, Valente, Vasquez, Wexler, Winslow,
    Yamada, Zanetti"""
)
"""Of people in front of and behind the camera."""

REVIEWER_SURNAMES = _list(
    """Adeyemi, Ashworth, Baptiste, Bianchi, Carver, Czerny, Donovan, Ekberg, Ferrante, Fitzroy, Gorman,
    Hargrave, Hidalgo, Iversen, Jimenez, Kariuki, Kessler, Lachance, Lombard, Mahoney, Mendel, Nasser,
    Nyberg, Osei, Pappas, Pemberton, Rahman, Rousseau, Sato, Schreiber, Silveira, Tremblay, Ulrich, Vance,
    Voss, Whitlock, Xiong, Yilmaz, Ziegler, Zuniga"""
)
"""Of people who write reviews; none of them makes films."""

ASPECTS = _list("acting, dialogue, ending, humour, music, pacing, story, visuals")
"""What reviews judge films by."""

PRAISE = _list(
    """excellent, superb, wonderful, brilliant, beautiful, impressive, memorable, convincing, outstanding,
    delightful, strong, great"""
)

BLAME = _list(
    """weak, poor, dull, clumsy, disappointing, boring, forgettable, lazy, awful, unconvincing, terrible,
    bland"""
)
