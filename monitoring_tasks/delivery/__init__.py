"""Delivery: messages that wait in the store's outbox reach people through the channels that a monitor file names.

channels    the Apprise URL of a channel
redaction   texts without what an Apprise URL keeps secret
send        one message to one channel: in the format that the channel takes, within bounded time
deliver     all messages of a monitor that are due: claimed, sent, recorded

At least once: a message is claimed, which is committed, then sent, then recorded. A process that is killed in between
leaves its claim, and when that has run out the message is sent again.
"""
