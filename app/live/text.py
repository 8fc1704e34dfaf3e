"""What the live view says when its run is gone."""

RUN_GONE = "This server no longer has this run: it was started again, or the page was away for long."
OPEN_AGAIN = "Start it again with the same settings"
RUN_FORGOTTEN = (
    "The page was away for so long that its run was forgotten. This is a new run with the same settings: it becomes "
    "the same network again."
)
SERVER_RESTARTED = (
    "The server was started again, and the run that was here is gone. This is a new run with the same settings: it "
    "becomes the same network again."
)
