"""The output of a run: lines while it works, failures, the summary, reports.

Open `summary` first; `terminal` is the only way to pytest's terminal.

`shown` is what pytest shows of a failure, its short reason included; `progress` writes while a cell is measured,
`earlier_reports` renames reports of an earlier run, `traffic` weighs the drops of all cells at the end,
`lost_cells` names cells without a result in the JUnit report, `updated` writes measured limits into the thresholds
file.
"""
