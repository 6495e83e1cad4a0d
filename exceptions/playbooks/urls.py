"""Addresses of the pages of playbooks, actions, approvals, targets and messages."""

from django.urls import path

from exceptions.pages import actions, playbooks, targets

REASON, STEP = "playbooks/<str:reason_code>/", "playbooks/<str:reason_code>/steps/<int:place>/"
ACTIONS = "exceptions/<int:exception_id>/actions/"
TARGET = "targets/<str:name>/"

urlpatterns = [
    path(ACTIONS, actions.actions, name="exception-actions"),
    path(f"{ACTIONS}new/", actions.choose_action, name="exception-action-choose"),
    path(f"{ACTIONS}new/<str:kind>/", actions.new_action, name="exception-action-new"),
    path(f"{ACTIONS}<int:attempt_id>/approve/", actions.approve_action, name="exception-action-approve"),
    path(f"{ACTIONS}<int:attempt_id>/try/", actions.try_action, name="exception-action-try"),
    path(f"{ACTIONS}<int:attempt_id>/reject/", actions.reject_action, name="exception-action-reject"),
    path("exceptions/<int:exception_id>/unblock/", actions.unblock_playbook, name="exception-unblock"),
    path("approvals/", actions.approvals, name="approvals"),
    path("playbooks/", playbooks.playbooks, name="playbooks"),
    path("playbooks/install/", playbooks.install, name="install-playbooks"),
    path(REASON, playbooks.playbook, name="playbook"),
    path(f"{REASON}switch/", playbooks.switch, name="switch-playbook"),
    path(f"{REASON}versions/<int:version>/restore/", playbooks.restore, name="restore-playbook"),
    path(f"{REASON}steps/new/", playbooks.choose_step, name="choose-step"),
    path(f"{REASON}steps/new/<str:kind>/", playbooks.new_step, name="new-step"),
    path(STEP, playbooks.edit_step, name="edit-step"),
    path(f"{STEP}mode/", playbooks.set_mode, name="set-step-mode"),
    path(f"{STEP}up/", playbooks.move_step, name="move-step"),
    path(f"{STEP}remove/", playbooks.remove_step, name="remove-step"),
    path("targets/", targets.targets, name="targets"),
    path("targets/new/", targets.new_target, name="new-target"),
    path(f"{TARGET}change/", targets.edit_target, name="edit-target"),
    path(f"{TARGET}switch/", targets.switch_target, name="switch-target"),
    path(f"{TARGET}rotate/", targets.rotate_target, name="rotate-target"),
    path(f"{TARGET}remove/", targets.drop_target, name="drop-target"),
    path("deliveries/", targets.deliveries, name="deliveries"),
    path("deliveries/<int:delivery_id>/resend/", targets.resend, name="resend-delivery"),
]
