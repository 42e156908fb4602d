"""Tables II to VI, all figures and one report (what `make tables` does).

Every model is trained once, whichever tables it serves. Results go to
runs/<corpus>/: report.html (one file with everything), report.md, table2 …
table6 as .md, .csv and .tex, figures/, config.json, one file per finished job
in jobs/, and models to predict with in bundles/. Stopped at any moment, the
same command continues.

Simulated corpus:
  python experiments/tables.py
COGNIMUSE:
  python experiments/tables.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2
Subtitles alone (Tables II and III):
  python experiments/tables.py --corpus=my_folder --modalities=text
"""

import sys

from emotion_mt import cli

if __name__ == "__main__":
    sys.exit(cli.run(cli.table_command("", __doc__)))
