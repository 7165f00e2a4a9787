"""IPA of sentences in eleven languages by espeak-ng itself, each by a process of its own, and phoneme error counts by jiwer.

Needs the program espeak-ng 1.51 (Debian 12). Run from the repository root:
    python Tests/Oracles/phonemes_espeak.py
"""

import json
import random
import subprocess

import jiwer

OUT = "Tests/Fixtures/phonemes/espeak.json"

SENTENCES = {
    ("en", "en-us"): [
        "The quick brown fox jumps over the lazy dog, doesn't it?",
        "Better thoughts: choose a judge, measure the pleasure, and sing along; 42 times!",
    ],
    ("es", "es"): ["El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío.", "Los jóvenes chicos llegaron ayer."],
    ("it", "it"): ["Quel vituperabile xenofobo zelante assaggia il whisky ed esclama: alleluja!", "Gli gnocchi sono nella pizza."],
    ("ru", "ru"): ["Съешь же ещё этих мягких французских булок, да выпей чаю.", "Джинсы и щука лежат у ручья."],
    ("cs", "cs"): ["Příliš žluťoučký kůň úpěl ďábelské ódy.", "Třicet tři stříbrných stříkaček stříkalo."],
    ("fr", "fr-fr"): ["Portez ce vieux whisky au juge blond qui fume.", "Un bon vin blanc, c'est un œuf de montagne."],
    ("bg", "bg"): ["Ах, чудна българска земьо, полюшвай цъфтящи жита.", "Щъркелът джапа в реката."],
    ("ro", "ro"): ["Înjurând pițigăiat, zoofobul comandă vexat whisky și tequila.", "Câinii și pisicile beau apă."],
    ("de", "de"): ["Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.", "Ich möchte Pfeffer."],
    ("pl", "pl"): ["Pchnąć w tę łódź jeża lub ośm skrzyń fig.", "Dżdżownica i ćma."],
    ("nl", "nl"): ["Pa's wijze lynx bezag vroom het fikse aquaduct.", "Het huis is erg leuk."],
}


def ipa(voice, text):
    command = ["espeak-ng", "-q", "-b", "1", "--ipa", "--sep=_", "-v", voice, text]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


transcripts = [
    {"language": language, "voice": voice, "text": text, "ipa": " ".join(ipa(voice, text).split())}
    for (language, voice), texts in SENTENCES.items()
    for text in texts
]

rng = random.Random(4)
errors = []
for length in [1, 2, 5, 12, 30]:
    for _ in range(4):
        reference = [rng.randrange(1, 9) for _ in range(length)]
        hypothesis = [x if rng.random() < 0.7 else rng.randrange(1, 9) for x in reference if rng.random() < 0.85]
        hypothesis[rng.randrange(len(hypothesis) + 1) :][:0] = [rng.randrange(1, 9)]
        if not hypothesis:
            hypothesis = [1]
        out = jiwer.process_words(" ".join(map(str, reference)), " ".join(map(str, hypothesis)))
        errors.append(
            {
                "reference": reference,
                "hypothesis": hypothesis,
                "errors": out.substitutions + out.insertions + out.deletions,
                "rate": out.wer,
            }
        )

version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout.split()[3]
with open(OUT, "w") as file:
    json.dump({"version": version, "transcripts": transcripts, "errors": errors}, file, ensure_ascii=False, indent=1)
    file.write("\n")
