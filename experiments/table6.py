"""Table VI: MT per viewer on the Baseline's split, see table5.py.

  python experiments/table6.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2

Results go where those of table2.py go; nothing is trained twice.
"""

from emotion_mt import cli

if __name__ == "__main__":
    raise SystemExit(cli.run(cli.table_command("VI", __doc__)))
