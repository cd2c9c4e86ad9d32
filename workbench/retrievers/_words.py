"""Text → the words that keyword search compares: stems by language, pairs of signs where blanks do not divide words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Literal

import regex

from workbench.packages import load

VERSION = 1

Language = Literal[
    "none",
    "arabic",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "hungarian",
    "italian",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "spanish",
    "swedish",
]
"""Languages with a Snowball stemmer; ``none`` compares words as they are."""

# Numbers keep their points: 1.5 is one word and not 1 and 5. All other punctuation divides.
_WORDS = regex.compile(
    r"(?P<dense>[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー々]+)"
    r"|\p{Nd}+(?:[.,:]\p{Nd}+)+"
    r"|(?:(?![\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])[\p{L}\p{M}\p{N}])+"
)

# What joins the words of a question and says nothing of its subject; parts cut off by apostrophes included.
_STOP_WORDS = {
    "english": "a about after all also an and any are as at be been before being but by can could did do does doing for "
    "from had has have having he her here him his how i if in into is it its itself me my no nor not of off on or our "
    "out over own s shall she should so some such t than that the their them then there these they this those to too "
    "until up us was we were what when where which while who whom whose why will with would you your",
    "german": "aber als am an auch auf aus bei bin bis da damit das dass dein dem den der des die dies diese diesem "
    "diesen dieser dieses doch du durch ein eine einem einen einer eines er es für hat hatte ich ihr im in ist ja kann "
    "mein mit nach nicht noch nur ob oder ohne sehr sein sich sie sind so über um und uns unter vom von vor wann war "
    "warum was wann welche welcher welches wenn wer wie wird wir wo zu zum zur",
    "french": "à au aux avec c ce ces cette comme comment d dans de des du elle elles en est et eu il ils j je l la le "
    "les leur lui m mais me même mes moi mon n ne nos notre nous on ont ou où par pas pour pourquoi qu quand que quel "
    "quelle quelles quels qui s sa sans se ses si son sont sur t ta te tes toi ton tu un une vos votre vous y",
    "spanish": "a al algo como con cual cuál cuando cuándo cómo de del desde donde dónde e el él ella ellas ellos en "
    "entre era es esa ese eso esta está este esto fue ha hay la las le les lo los más me mi mis muy no nos o para pero "
    "por porque que qué quien quién se ser si sí sin sobre son su sus también te tu tus un una uno y ya yo",
    "italian": "a agli ai al alla alle allo anche c che chi ci come con cosa da dagli dai dal dalla dalle dei del della "
    "delle dello di dove e è ed gli ha hanno i il in io l la le lo loro ma mi nei nel nella nelle non o per perché più "
    "quale quali quando quanto questa questo se si sono su sua sui sul sulla suo ti tra un una uno",
    "portuguese": "a ao aos as à às com como da das de do dos e é ela elas ele eles em entre era essa esse esta está "
    "este eu foi há isso isto já lhe mais mas me meu na não nas no nos o onde os ou para pela pelo por porque qual "
    "quando que quem se sem ser seu seus sua suas também te tem um uma você",
    "dutch": "aan al als bij dan dat de der deze die dit doch door een en er had heb hebben heeft het hij hoe hun ik in "
    "is ja je kan maar me met mijn na naar niet nog nu of om omdat onder ons ook op over te toen tot u uit uw van veel "
    "voor waar waarom wanneer was wat we wel welke werd wie wij worden zal ze zich zij zijn zo zonder",
    "swedish": "alla att av blev bli de dem den denna deras dess det detta dig din du då efter ej eller en er ett från "
    "för ha hade han hans har henne hon hur här i inte ja jag kan man med mellan men mig min mot mycket ni nu när någon "
    "och om oss på så sig sin som till under upp ut vad var varför vem vi vid vilken vilket är över",
    "danish": "af alle at blev da de dem den der deres det dette dig din dog du efter eller en end er et for fra ham han "
    "har havde hende her hun hvad hvem hver hvilken hvis hvor hvordan hvorfor i ikke jeg kan man med men mig min mod når "
    "og om op os over på sig sin skal som til ud under var ved vi vil være",
    "norwegian": "alle at av ble da de dem den der det dette dig din du eller en er et etter for fra ham han har hadde "
    "hun hva hvem hver hvilken hvis hvor hvordan hvorfor i ikke jeg kan man med men meg min mot når og om opp oss over "
    "på seg sin skal som til ut under var ved vi vil være",
}  # fmt: skip


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the words of a question that are left out; none for languages without a list."""
    return frozenset(_STOP_WORDS.get(language, "").split())


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    """Return the stem of a word, by Snowball (https://snowballstem.org); each word is worked out once."""
    if language == "none":
        return str
    snowball = load("nltk.stem.snowball", "nltk", "Keyword search with stems")
    # The very class: SnowballStemmer("english") does the same after looking for a list of stop words on disk.
    return _Stems(getattr(snowball, f"{language.capitalize()}Stemmer")().stem)


_MOST_STEMS = 500_000


class _Stems(dict[str, str]):
    """Word → stem. Starts anew when it has grown large, as damaged text can make it."""

    def __init__(self, stem: Callable[[str], str]) -> None:
        super().__init__()
        self._stem = stem

    def __call__(self, word: str) -> str:
        return self[word]

    def __missing__(self, word: str) -> str:
        if len(self) >= _MOST_STEMS:
            self.clear()
        found = self[word] = self._stem(word)
        return found


def words(text: str, language: str) -> list[str]:
    """Return the words of a text as they are compared, in order.

    >>> words("The drivers' breaks: 1.5 hours!", "english")
    ['the', 'driver', 'break', '1.5', 'hour']
    >>> words("東京都 2024", "english")
    ['東京', '京都', '2024']
    """
    stem = _stemmer(language)
    result = []
    for match in _WORDS.finditer(unicodedata.normalize("NFKC", text).casefold()):
        word = match.group()
        if match["dense"]:
            result += [word[i : i + 2] for i in range(len(word) - 1)] or [word]
        else:
            result.append(stem(word))
    return result


def question_words(text: str, language: str) -> dict[str, float]:
    """Return the words of a question and how often they stand there, without stop words.

    A question of nothing but stop words keeps them.
    """
    telling: dict[str, float] = {}
    every: dict[str, float] = {}
    dropped = _dropped(language)
    for word in words(text, language):
        every[word] = every.get(word, 0) + 1
        if word not in dropped:
            telling[word] = telling.get(word, 0) + 1
    return telling or every


@cache
def _dropped(language: str) -> frozenset[str]:
    stem = _stemmer(language)
    return frozenset(stem(word) for word in stop_words(language))


def matches(text: str, question: str, language: str) -> list[tuple[int, int]]:
    """Return the ranges of ``text`` that hold a word of the question, stop words left out.

    >>> matches("Breaks of drivers", "the driver's break", "english")
    [(0, 6), (10, 17)]
    """
    wanted = question_words(question, language)
    found = []
    for match in _WORDS.finditer(text):
        pieces = words(match.group(), language)
        if match["dense"]:
            # Pairs of signs: of a run without blanks, the pairs that are asked for.
            found += [
                (match.start() + i, match.start() + i + 2)
                for i, piece in enumerate(pieces)
                if piece in wanted and match.start() + i + 2 <= match.end()
            ]
        elif any(piece in wanted for piece in pieces):
            found.append(match.span())
    return found
