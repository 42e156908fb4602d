r"""Table II: accuracy per viewer, ST and MT on both modalities.

Results go to runs/<corpus>/, where the report shows the tables of all scripts.
Stop it at any moment; the same command continues.

  python experiments/table2.py
  python experiments/table2.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2
  python experiments/table2.py --corpus=/path/to/COGNIMUSE \
    --annotation=intended --modalities=text
"""

from emotion_mt import cli

if __name__ == "__main__":
    raise SystemExit(cli.run(cli.table_command("II", __doc__)))
