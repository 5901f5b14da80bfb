"""Measured claims: `python -m bench [demo|analysis|plans]...`; all of them without a name."""
