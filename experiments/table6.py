"""Table VI: MT per viewer on the Baseline's split.

Rows: majority class, MT on both modalities, on text, on video. About the split
see table5.py.

Results go to the same folder as those of the other scripts, runs/<corpus>/;
models that another table has trained are not trained again, and the report
there shows all tables. Stopped at any moment, the same command continues.

Simulated corpus:
  python experiments/table6.py
COGNIMUSE:
  python experiments/table6.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2
"""

import sys

from emotion_mt import cli

if __name__ == "__main__":
    sys.exit(cli.run(cli.table_command("VI", __doc__)))
