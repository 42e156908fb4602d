"""Table II: accuracy per viewer, ST and MT on both modalities.

Rows: Random, Positive, Negative, on simulated data the ceiling, ST, MT, each
with the paper's row under it. Results go to runs/<corpus>/: table2.md,
table2.csv, table2.tex, report.html, config.json and one file per finished job
in jobs/. Stopped at any moment, the same command continues.

Simulated corpus (what `make tables` does):
  python experiments/table2.py
COGNIMUSE:
  python experiments/table2.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2
The expert's intended valence from subtitles alone:
  python experiments/table2.py --corpus=/path/to/COGNIMUSE \
    --annotation=intended --modalities=text
"""

import sys

from emotion_mt import cli

if __name__ == "__main__":
    sys.exit(cli.run(cli.table_command("II", __doc__)))
