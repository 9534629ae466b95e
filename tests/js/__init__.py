"""Tests of the JavaScript modules, run by node's own test runner."""
