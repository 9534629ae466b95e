"""The room where uses are counted: taken, given back, and limited, under locks and by guarded statements (CO-1 to CO-3).

``redemption`` is the door for shops; only ``limits.recount`` is called from outside besides, by whoever gives a campaign
a limit while it is running.
"""
