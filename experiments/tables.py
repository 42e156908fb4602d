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

from emotion_mt import cli
from emotion_mt.workflows import run_all_tables


def main() -> int:
    """Runs the experiment that the flags describe."""
    outcome = run_all_tables(cli.experiment_from_flags())
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    cli.define_experiment_flags()
    cli.run(main)
