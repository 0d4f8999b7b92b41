"""Results in other programs' and in people's words: text in, records out, and the other way round. Pure throughout.

`results` has the records of both directions. Out go `junit_writer`, `tap_writer` (TAP and KTAP), `results_json` and
`step_summary`; `junit_reader` and `page/`, for parity pages that people keep by hand, read. `run_json` is a run as
parity's own file. What is stored, and where files are, the flows know.
"""
