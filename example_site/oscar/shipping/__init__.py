"""The shop's own shipping charges. Stock Oscar ships for free, and the way to charge for it is a fork of this one app.

That is the shop's business (Oscar's documentation: "How to configure shipping"); ``thankyou_flows`` needs no fork of
anything. It also shows that the adapter gets along with forked apps.
"""
