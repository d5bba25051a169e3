#!/usr/bin/env bash
# nothing here
# and nothing there
