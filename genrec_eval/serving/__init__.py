"""An OpenAI-compatible and a JSON ranking server over the reference models, with faults on request.

The dry run for users, and the test double of the project.
"""
