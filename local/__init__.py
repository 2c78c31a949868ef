"""The embedded platform: control planes, AWS emulator and stand-ins, all on this machine's loopback."""
