"""Why a compiled job is as it is: every value with who set it, and what will be started."""
