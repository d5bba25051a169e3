<?php
// nothing here
# and nothing there
