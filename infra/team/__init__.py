"""The servers of a team, each started by ``python -m infra.team NAME``: in a container, or as a process.

``infra/compose.yaml`` starts them in containers. What they share is in ``settings``, what each is started with in
``services``, what has to be there before in ``setup``.
"""
