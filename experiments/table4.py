"""Table IV: accuracy per viewer from the video alone.

Rows: majority class, on simulated data the ceiling, Baseline-Visual,
ST-Visual, MT-Visual, each with the paper's row under it.

Results go to the same folder as those of the other scripts, runs/<corpus>/;
models that another table has trained are not trained again, and the report
there shows all tables. Stopped at any moment, the same command continues.

Simulated corpus:
  python experiments/table4.py
COGNIMUSE:
  python experiments/table4.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2
"""

import sys

from emotion_mt import cli

if __name__ == "__main__":
    sys.exit(cli.run(cli.table_command("IV", __doc__)))
