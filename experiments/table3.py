"""Table III: accuracy per viewer from the subtitles alone.

  python experiments/table3.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2

Results go where those of table2.py go; nothing is trained twice.
"""

from emotion_mt import cli

if __name__ == "__main__":
    raise SystemExit(cli.run(cli.table_command("III", __doc__)))
