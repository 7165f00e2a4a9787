"""What each mode takes: which packages, how many seconds of each speaker, and how strict it is about quality."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Callable, Iterable

import sources
from sources import Clip

Source = Callable[[Path], Iterable[Clip]]


@dataclass(frozen=True)
class Recipe:
    packages: tuple[str, ...]
    sources: tuple[Source, ...]
    # Seconds kept of a speaker; the longest key that begins "package/language/speaker" counts, and none means all.
    seconds_per_speaker: dict[str, float] = field(default_factory=dict)
    # Leaves out clipped recordings and phrases of less than 0.8 s of speech.
    strict: bool = True
    # A build below this means that a package has changed under the recipe.
    least_hours: float = 0

    def limit(self, clip: Clip) -> float:
        name = f"{clip.package}/{clip.language}/{clip.speaker}"
        keys = [key for key in self.seconds_per_speaker if name.startswith(key)]
        return self.seconds_per_speaker[max(keys, key=len)] if keys else math.inf


def asterisk_packages(*languages: str) -> tuple[str, ...]:
    return tuple(f"asterisk-core-sounds-{language}{part}" for language in languages for part in ("", "-g722"))


ALL_PACKAGES = (
    "tuxpaint-stamps-default",
    "festvox-ru",
    *asterisk_packages("en", "es", "it", "ru"),
    "fillets-ng-data",
    "fillets-ng-data-cs",
    "fillets-ng-data-nl",
    "klettres-data",
    "ktuberling-data",
    "kajongg",
    "gcin-voice",
)

ALL_SOURCES = (
    sources.tuxpaint,
    sources.festvox_ru,
    partial(sources.asterisk, languages=("en", "es", "it", "ru")),
    sources.fillets,
    sources.klettres,
    sources.ktuberling,
    sources.kajongg,
    sources.gcin_voice,
)

RECIPES = {
    # Few packages and few seconds of each of ten voices, two of them held out (tuxpaint-da, carlo-flora).
    "small": Recipe(
        packages=("tuxpaint-stamps-default", "festvox-ru", *asterisk_packages("en", "it")),
        sources=(sources.tuxpaint, sources.festvox_ru, partial(sources.asterisk, languages=("en", "it"))),
        seconds_per_speaker={
            "tuxpaint-stamps-default": 150,
            "tuxpaint-stamps-default/da": 60,
            "tuxpaint-stamps-default/es": 30,
            "festvox-ru": 420,
            "asterisk-core-sounds-en": 420,
            "asterisk-core-sounds-it": 60,
        },
        least_hours=0.4,
    ),
    # No voice dominates; more of the sentences and of the well recorded.
    "core": Recipe(
        packages=ALL_PACKAGES,
        sources=ALL_SOURCES,
        seconds_per_speaker={
            "tuxpaint-stamps-default": 310,
            "tuxpaint-stamps-default/da": 300,
            "tuxpaint-stamps-default/el": 200,
            "tuxpaint-stamps-default/ca": 160,
            "tuxpaint-stamps-default/es": 60,
            "festvox-ru": 1080,
            "asterisk-core-sounds-": 450,
            "asterisk-core-sounds-en": math.inf,
            "fillets-ng-data-cs": 270,
            "fillets-ng-data-nl": 180,
            "klettres-data": 15,
            "ktuberling-data": 35,
            "kajongg": 20,
            "gcin-voice": 60,
        },
        least_hours=1.8,
    ),
    "full": Recipe(packages=ALL_PACKAGES, sources=ALL_SOURCES, strict=False, least_hours=7),
}
