"""The words and sentence patterns of simulated dialogue.

A pattern is a sentence with slots in braces. Slots that end in "+" or "-"
take words of that sentiment; `name`, `place` and `thing` take words that
occur in one film only; all other slots take neutral words. Within a list,
words at the front are used more often.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Sentiments of a sentence.
POSITIVE, NEUTRAL, NEGATIVE = "+", "0", "-"

#: Film code -> slot -> words that no other film has.
FILM_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "BMI": {
        "name": ("Aldous", "Perrin", "Ottilie", "Mabry", "Hesper", "Quill"),
        "place": ("seminar", "archive", "observatory", "quad", "infirmary"),
        "thing": ("theorem", "chalk", "cipher", "telescope", "notebook"),
    },
    "CHI": {
        "name": ("Dolores", "Vinnie", "Lorraine", "Buster", "Trixie", "Gus"),
        "place": ("cabaret", "courtroom", "balcony", "speakeasy", "foyer"),
        "thing": ("trumpet", "headline", "garter", "spotlight", "encore"),
    },
    "CRA": {
        "name": ("Denise", "Ramiro", "Farid", "Keisha", "Warren", "Lupe"),
        "place": ("freeway", "precinct", "locksmith", "garage", "overpass"),
        "thing": ("bumper", "windshield", "warrant", "wallet", "siren"),
    },
    "DEP": {
        "name": ("Dooley", "Moira", "Seamus", "Castigan", "Brophy", "Fitz"),
        "place": ("harbour", "tavern", "wharf", "depot", "rooftop"),
        "thing": ("envelope", "badge", "wiretap", "microchip", "dossier"),
    },
    "FNE": {
        "name": ("Pippin", "Coraline", "Bubba", "Shelly", "Finnegan", "Squid"),
        "place": ("reef", "aquarium", "lagoon", "trench", "anemone"),
        "thing": ("seaweed", "shell", "pebble", "jellyfish", "current"),
    },
    "GLA": {
        "name": ("Cassian", "Octavia", "Varro", "Livius", "Drusa", "Tiro"),
        "place": ("arena", "senate", "province", "camp", "forum"),
        "thing": ("shield", "chariot", "legion", "laurel", "sandal"),
    },
    "LOR": {
        "name": ("Eldrin", "Thessaly", "Brannoc", "Ysolde", "Garrick", "Wren"),
        "place": ("citadel", "marsh", "beacon", "valley", "rampart"),
        "thing": ("sword", "horn", "cloak", "banner", "amulet"),
    },
}

#: Slot -> words that any film may use.
WORDS: Mapping[str, tuple[str, ...]] = {
    # What things and persons can be ...
    "adj+": (
        "beautiful", "good", "wonderful", "perfect", "lovely", "sweet",
        "brilliant", "lucky", "amazing", "brave", "gentle", "funny",
    ),
    "adj-": (
        "terrible", "bad", "horrible", "dangerous", "awful", "cruel",
        "rotten", "dead", "ugly", "hopeless", "dirty", "stupid",
    ),
    # ... and how persons can feel.
    "state+": ("happy", "safe", "glad", "proud", "free", "better", "calm"),
    "state-": ("afraid", "sick", "alone", "angry", "lost", "guilty", "worse"),
    "noun+": (
        "friend", "gift", "miracle", "hero", "dream", "treasure", "party",
        "song", "kiss", "blessing", "victory", "surprise",
    ),
    "noun-": (
        "liar", "trap", "disaster", "enemy", "nightmare", "threat", "coward",
        "wound", "scream", "grave", "murder", "mistake",
    ),
    "verb+": (
        "love", "help", "trust", "thank", "save", "forgive", "protect",
        "welcome",
    ),
    "verb-": (
        "hate", "kill", "hurt", "blame", "fight", "punish", "betray",
        "destroy",
    ),
    "noun": (
        "door", "car", "letter", "house", "phone", "table", "paper", "road",
        "box", "room", "coat", "window", "story", "name", "book", "key", "bag",
        "list", "map", "picture", "train", "chair", "number", "bottle",
    ),
    "person": (
        "man", "woman", "boy", "girl", "doctor", "captain", "brother",
        "sister", "driver", "teacher", "stranger", "boss", "guest", "father",
    ),
    "verb": (
        "see", "know", "find", "want", "hear", "meet", "remember", "call",
        "follow", "need", "understand", "believe", "ask", "bring", "watch",
    ),
    "time": (
        "now", "today", "tomorrow", "tonight", "soon", "later", "again",
        "this morning", "at noon", "on Monday", "at six", "in a minute",
    ),
    "opener": (
        "well", "listen", "look", "so", "okay", "all right", "come on", "wait",
        "you know", "hey",
    ),
    "opener+": ("yes", "great", "bravo", "hooray", "thank God", "oh good"),
    "opener-": ("no", "damn", "stop", "oh God", "oh no"),
}  # fmt: skip

#: Sentiment -> sentence patterns.
PATTERNS: Mapping[str, tuple[str, ...]] = {
    POSITIVE: (
        "That was {adj+}.",
        "I {verb+} you, {name}.",
        "What a {adj+} {noun}!",
        "You are so {adj+}.",
        "I am {state+} {time}.",
        "This is the {noun+} I wanted.",
        "We will {verb+} them {time}.",
        "I feel {state+}, {name}.",
        "{name} is my {noun+}.",
        "Look at that {adj+} {thing}.",
        "It is a {noun+}, a real {noun+}!",
        "I had a {adj+} {noun+} last night.",
        "They {verb+} the {person} from the {place}.",
        "Everything is going to be {adj+}.",
        "It was a {noun+} for the {person}.",
        "I never had such a {adj+} {noun+} before.",
        "He is a {adj+} {person}, and he is {state+}.",
        "Yes! {adj+}!",
        "You will be {state+} at the {place}.",
        "{adj+}.",
        "The {place} is {adj+} {time}.",
    ),
    NEGATIVE: (
        "That was {adj-}.",
        "I {verb-} you, {name}.",
        "What a {adj-} {noun}!",
        "You are so {adj-}.",
        "I am {state-} {time}.",
        "This is the {noun-} I expected.",
        "They will {verb-} us {time}.",
        "I feel {state-}, {name}.",
        "{name} is a {noun-}.",
        "Get away from that {adj-} {thing}.",
        "It is a {noun-}, another {noun-}!",
        "I had a {adj-} {noun-} last night.",
        "They {verb-} the {person} from the {place}.",
        "Everything has been {adj-}.",
        "It was a {noun-} for the {person}.",
        "I never saw such a {adj-} {noun-} before.",
        "He is a {adj-} {person}, and he is {state-}.",
        "No! {adj-}!",
        "You will be {state-} at the {place}.",
        "{adj-}.",
        "The {place} is {adj-} {time}.",
    ),
    NEUTRAL: (
        "Where is {name}?",
        "I have to {verb} the {person}.",
        "Did you {verb} the {thing}?",
        "Go to the {place}.",
        "We leave {time}.",
        "Who told you about the {thing}?",
        "The {noun} is in the {place}.",
        "{name}.",
        "Yes.",
        "No.",
        "Wait for me at the {place}.",
        "I put the {thing} near the {noun}.",
        "Is this your {noun}?",
        "Tell {name} to {verb} me {time}.",
        "What did the {person} say?",
        "I don't {verb} it.",
        "You can {verb} the {noun} from here.",
        "How long have you been at the {place}?",
        "It's about the {thing}.",
        "Take the {noun} and come with me.",
        "They said {time}.",
        "There is a {person} at the {place}.",
        "Why would {name} {verb} that?",
        "Give me the {noun}, {name}.",
        "I was told to {verb} you {time}.",
        "Do you {verb} this {person}?",
        "Right.",
        "What?",
        "The {person} from the {place} is here {time}.",
        "We'll {verb} another {thing}.",
    ),
}
