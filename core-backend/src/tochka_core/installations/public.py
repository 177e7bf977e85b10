"""What the dispatcher does with installations: open them, undo them, say how far they are."""

from tochka_core.installations import service

__all__ = ["find_tenant", "mark_live", "note_step", "report_failed", "report_ready", "undo"]

find_tenant = service.find_tenant
mark_live = service.mark_live
note_step = service.note_step
report_failed = service.report_failed
report_ready = service.report_ready
undo = service.undo
