"""Tables II to VI, all figures, one report, bundles (what `make tables` does).

Every model is trained once, whichever tables it serves. Results go to
runs/<corpus>/. Stop it at any moment; the same command continues.

  python experiments/tables.py
  python experiments/tables.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2
  python experiments/tables.py --corpus=my_folder --modalities=text
"""

from emotion_mt import cli

if __name__ == "__main__":
    raise SystemExit(cli.run(cli.table_command("", __doc__)))
