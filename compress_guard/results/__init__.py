"""Results files that are read again, whoever has written them: the one way in for every command and for the gate.

Open `file` first: `read_results` gives the results of a run, checked, and `read_folder` those of all files in a folder.
`document` reads the bytes and says what they are where they hold no results, `checked` makes records of JSON values and
refuses values that no run writes, `typed` compares values with the types of fields, and `archive` reads the evidence.
"""
