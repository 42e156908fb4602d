"""Table V: the average viewer on the Baseline's split, by modality.

The Baseline's split (train BMI, CHI, FNE, GLA, LOR; test CRA, DEP) names no
validation film; --baseline_validation does. Other corpora test on their last
films. Results go where those of table2.py go; nothing is trained twice.

  python experiments/table5.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2
  python experiments/table5.py --baseline_validation=FNE
"""

from emotion_mt import cli

if __name__ == "__main__":
    raise SystemExit(cli.run(cli.table_command("V", __doc__)))
