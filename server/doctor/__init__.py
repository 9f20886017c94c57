"""`lianke doctor`: is this machine, its network and its configuration fit to hold lessons?"""
