from __future__ import annotations
import time, pytest, cProfile, pstats
from tests.test_mail.test_workers import plan_many
from tests.test_mail.outboxes import Backend
from thankyou_flows.mail import connections
from thankyou_flows.mail.sending import send_due
@pytest.mark.django_db(transaction=True)
def test_speed(monkeypatch):
    b = Backend(); monkeypatch.setattr(connections, "get_connection", lambda: b)
    plan_many(200); send_due()
    plan_many2 = None
    from thankyou_flows.models import Message
    Message.objects.all().delete()
    plan_many(2000)
    pr = cProfile.Profile()
    w, c = time.perf_counter(), time.process_time()
    print(send_due(limit=1000))
    print("wall/msg ms", (time.perf_counter()-w), "cpu/msg ms", time.process_time()-c)
    pr.enable(); send_due(); pr.disable()
    pstats.Stats(pr).sort_stats("cumtime").print_stats(38)
