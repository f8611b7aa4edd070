"""What a trained network can stand: accuracy under noise, lost events and other time steps.

``question`` says what is asked, ``subjects`` which networks are looked at, ``corruption`` what
happens to their inputs; ``measuring`` shows them, ``intervals`` says how sure the numbers are,
``results`` holds them, and ``drawing`` and ``writing`` keep them.
"""
