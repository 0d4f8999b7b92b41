"""Results in other programs' and in people's words: text in, records out, and the other way round. Pure throughout.

`page/` reads parity pages that people keep by hand; `run_json` is a run as parity's own file. What is stored, and
where files are, the flows know.
"""
