"""Recipient files as people have them become one frame, with a word on everything that was decided.

files ─> unpacking ─> kinds ─┬> delimited ─> encodings ─> dialect ─> headers ─> clean | mending
                             └> parquet, workbook, ndjson; remote
"""
