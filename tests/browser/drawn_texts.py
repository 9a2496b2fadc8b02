# SPDX-License-Identifier: Apache-2.0
"""Workflow files that the editor's tests draw or change."""

DRAWN = """\
lao: 1
name: drawn

inputs:
  audio: { type: audio }

steps:
  - id: transcribe
    uses: transcribe
    with: { audio: "{{ inputs.audio }}" }

  - id: summarize
    uses: summarize
    with: { text: "{{ transcribe }}" }

  - id: extract_entities
    uses: extract-entities
    with: { text: "{{ transcribe }}" }
"""
CHAIN = """\
lao: 1
name: chain
inputs:
  notes: { type: text }
steps:
  # first, the short form
  - id: short     # five lines
    uses: summarize
    with: { text: "{{ inputs.notes }}" }

  # then, without names
  - id: hidden
    uses: redact
    with: { text: "{{ short }}", mask: block }  # or label

  # at last
  - id: names
    uses: extract-entities
    with: { text: "{{ hidden }}" }
"""
