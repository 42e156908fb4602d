"""Table V: the average viewer on the Baseline's split, by modality.

Rows: always positive, majority class, Baseline, MT. The Baseline's split
(train BMI, CHI, FNE, GLA, LOR; test CRA, DEP) names no validation film;
--baseline_validation does. Other corpora test on their last films.

Results go to the same folder as those of the other scripts, runs/<corpus>/;
models that another table has trained are not trained again, and the report
there shows all tables. Stopped at any moment, the same command continues.

Simulated corpus:
  python experiments/table5.py
COGNIMUSE:
  python experiments/table5.py --corpus=/path/to/COGNIMUSE --seeds=0,1,2
Another validation film:
  python experiments/table5.py --baseline_validation=FNE
"""

import sys

from emotion_mt import cli

if __name__ == "__main__":
    sys.exit(cli.run(cli.table_command("V", __doc__)))
