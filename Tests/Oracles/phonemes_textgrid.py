"""What praatio and textgrid read in Tests/Fixtures/phonemes/example.TextGrid, which Allophone wrote.

Run from the repository root:
    python Tests/Oracles/phonemes_textgrid.py
"""

import json

import textgrid
from praatio import textgrid as praatio

FOLDER = "Tests/Fixtures/phonemes"
grid = praatio.openTextgrid(f"{FOLDER}/example.TextGrid", includeEmptyIntervals=True)
read = {
    name: [{"ipa": e.label, "start": e.start, "end": e.end} for e in grid.getTier(name).entries] for name in grid.tierNames
}
other = textgrid.TextGrid.fromFile(f"{FOLDER}/example.TextGrid")
for tier in other.tiers:
    again = [{"ipa": i.mark, "start": i.minTime, "end": i.maxTime} for i in tier.intervals]
    assert again == read[tier.name.replace('""', '"')], f"the two readers disagree on {tier.name}"
with open(f"{FOLDER}/example.json", "w") as file:
    json.dump({"duration": grid.maxTimestamp, "tiers": read}, file, ensure_ascii=False, indent=1)
    file.write("\n")
