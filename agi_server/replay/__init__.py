"""Scripted sessions on real sockets: play them against a daemon, record them from Asterisk."""

from agi_server.replay.player import Difference, PlayResult, load_script, play
from agi_server.replay.recorder import Recording, record

__all__ = ["Difference", "PlayResult", "Recording", "load_script", "play", "record"]
