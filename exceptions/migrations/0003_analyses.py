"""Tables of the analyst: analyses, what people say of them, known causes, the switch. New tables only."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exceptions', '0002_source_reasons'),
    ]

    operations = [
        migrations.CreateModel(
            name='Analysis',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('occurrence', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done')], db_default='waiting', max_length=8)),
                ('claims', models.PositiveSmallIntegerField(db_default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('judge', models.CharField(choices=[('ai', 'AI'), ('rules', 'Rule-based')], db_default='', max_length=8)),
                ('fallback', models.CharField(choices=[('history', 'The exception is history'), ('mode', 'The AI is switched off by AI_MODE'), ('no_key', 'No AI provider is set up'), ('clear', 'The case is clear without the AI'), ('switched_off', 'The AI was switched off because the rules did better'), ('budget', "The day's tokens are spent"), ('breaker', 'The AI provider is in trouble; it is asked again soon'), ('timeout', 'The AI did not answer in time'), ('rate_limited', 'The AI provider asked to wait'), ('refused', 'The AI provider refused the request'), ('unreachable', 'The AI provider could not be reached'), ('bad_answer', "The AI's answer did not hold"), ('low_confidence', 'The AI was not sure enough')], db_default='', max_length=16)),
                ('note', models.CharField(db_default='', max_length=300)),
                ('label', models.CharField(choices=[('payment_issue', 'Payment trouble'), ('inventory_shortage', 'Goods not available'), ('address_validation', 'Address cannot be used'), ('delayed_fulfillment', 'Warehouse behind'), ('shipping_delay', 'Carrier behind'), ('carrier_lost', 'Parcel lost'), ('customer_unavailable', 'Nobody at the door'), ('customs_hold', 'Held by customs'), ('weather', 'Weather or disaster'), ('fraud_review', 'Fraud check'), ('order_held', 'Held on purpose'), ('source_trouble', 'Reports missing'), ('unknown', 'Not clear')], db_default='', max_length=24)),
                ('confidence', models.FloatField(null=True)),
                ('blame', models.CharField(choices=[('carrier', 'Carrier'), ('warehouse', 'Warehouse'), ('merchant', 'Merchant'), ('customer', 'Customer'), ('payment', 'Payment provider'), ('weather', 'Weather'), ('unknown', 'Unknown')], db_default='', max_length=16)),
                ('root_cause', models.TextField(db_default='')),
                ('evidence', models.JSONField(db_default=[])),
                ('ops_note', models.TextField(db_default='')),
                ('client_note', models.TextField(db_default='')),
                ('action', models.CharField(choices=[('shopify_hold', 'Hold the order in the shop'), ('shopify_release', "Release the shop's holds"), ('shopify_address', 'Correct the address in the shop'), ('shopify_tag', 'Tag the order in the shop'), ('shopify_move', 'Ship from another location'), ('shopify_reschedule', 'Reschedule the fulfillment'), ('shopify_tracking', 'Send the tracking notice again'), ('shopify_refund', 'Refund the order'), ('shopify_cancel', 'Cancel the order'), ('email_customer', 'Write to the customer'), ('email_team', 'Write to a team'), ('slack', 'Post to Slack'), ('webhook', 'Call a webhook'), ('assign', 'Assign it'), ('hold', 'Stop the clocks'), ('release', 'Let the clocks run'), ('wait', 'Wait for an event'), ('none', 'Nothing to do')], db_default='', max_length=24)),
                ('rules_label', models.CharField(choices=[('payment_issue', 'Payment trouble'), ('inventory_shortage', 'Goods not available'), ('address_validation', 'Address cannot be used'), ('delayed_fulfillment', 'Warehouse behind'), ('shipping_delay', 'Carrier behind'), ('carrier_lost', 'Parcel lost'), ('customer_unavailable', 'Nobody at the door'), ('customs_hold', 'Held by customs'), ('weather', 'Weather or disaster'), ('fraud_review', 'Fraud check'), ('order_held', 'Held on purpose'), ('source_trouble', 'Reports missing'), ('unknown', 'Not clear')], db_default='', max_length=24)),
                ('rules_confidence', models.FloatField(null=True)),
                ('ai_tried', models.BooleanField(db_default=False)),
                ('ai_label', models.CharField(choices=[('payment_issue', 'Payment trouble'), ('inventory_shortage', 'Goods not available'), ('address_validation', 'Address cannot be used'), ('delayed_fulfillment', 'Warehouse behind'), ('shipping_delay', 'Carrier behind'), ('carrier_lost', 'Parcel lost'), ('customer_unavailable', 'Nobody at the door'), ('customs_hold', 'Held by customs'), ('weather', 'Weather or disaster'), ('fraud_review', 'Fraud check'), ('order_held', 'Held on purpose'), ('source_trouble', 'Reports missing'), ('unknown', 'Not clear')], db_default='', max_length=24)),
                ('ai_confidence', models.FloatField(null=True)),
                ('input_hash', models.CharField(db_default='', max_length=64)),
                ('provider', models.CharField(db_default='', max_length=100)),
                ('model', models.CharField(db_default='', max_length=100)),
                ('prompt_version', models.CharField(db_default='', max_length=40)),
                ('tokens', models.PositiveIntegerField(db_default=0)),
                ('cost_usd', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('latency_ms', models.PositiveIntegerField(null=True)),
                ('carrier', models.CharField(db_default='', max_length=64)),
                ('warehouse', models.CharField(db_default='', max_length=64)),
                ('gateway', models.CharField(db_default='', max_length=64)),
                ('skus', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), db_default=[], size=None)),
                ('exception', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='analyses', to='exceptions.exceptionrecord')),
            ],
        ),
        migrations.CreateModel(
            name='AnalystSwitch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=100)),
                ('prompt_version', models.CharField(max_length=40)),
                ('on', models.BooleanField()),
                ('actor', models.CharField(max_length=200)),
                ('reason', models.CharField(max_length=500)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'indexes': [models.Index(fields=['model', 'prompt_version', '-id'], name='analyst_switch_last')],
            },
        ),
        migrations.CreateModel(
            name='Feedback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor', models.CharField(max_length=200)),
                ('helpful', models.BooleanField(null=True)),
                ('really', models.CharField(choices=[('payment_issue', 'Payment trouble'), ('inventory_shortage', 'Goods not available'), ('address_validation', 'Address cannot be used'), ('delayed_fulfillment', 'Warehouse behind'), ('shipping_delay', 'Carrier behind'), ('carrier_lost', 'Parcel lost'), ('customer_unavailable', 'Nobody at the door'), ('customs_hold', 'Held by customs'), ('weather', 'Weather or disaster'), ('fraud_review', 'Fraud check'), ('order_held', 'Held on purpose'), ('source_trouble', 'Reports missing'), ('unknown', 'Not clear')], db_default='', max_length=24)),
                ('comment', models.CharField(db_default='', max_length=500)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('analysis', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='feedback', to='exceptions.analysis')),
            ],
        ),
        migrations.CreateModel(
            name='KnownCause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(choices=[('correction', "A person's correction"), ('close', 'Named when it was closed'), ('thumb', 'A person agreed'), ('mock', "The mock shop's truth")], max_length=12)),
                ('label', models.CharField(choices=[('payment_issue', 'Payment trouble'), ('inventory_shortage', 'Goods not available'), ('address_validation', 'Address cannot be used'), ('delayed_fulfillment', 'Warehouse behind'), ('shipping_delay', 'Carrier behind'), ('carrier_lost', 'Parcel lost'), ('customer_unavailable', 'Nobody at the door'), ('customs_hold', 'Held by customs'), ('weather', 'Weather or disaster'), ('fraud_review', 'Fraud check'), ('order_held', 'Held on purpose'), ('source_trouble', 'Reports missing'), ('unknown', 'Not clear')], max_length=24)),
                ('actor', models.CharField(max_length=200)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('exception', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='causes', to='exceptions.exceptionrecord')),
            ],
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(condition=models.Q(('state', 'done'), _negated=True), fields=['id'], name='analysis_waiting'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(condition=models.Q(('state', 'done')), fields=['finished_at'], name='analysis_by_time'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(condition=models.Q(('judge', 'ai')), fields=['input_hash'], name='analysis_answers'),
        ),
        migrations.AddConstraint(
            model_name='analysis',
            constraint=models.UniqueConstraint(fields=('exception', 'occurrence'), name='analysis_once_per_occurrence'),
        ),
        migrations.AddConstraint(
            model_name='analysis',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('lease_until__isnull', True), ('state', 'done'), models.Q(('label', ''), _negated=True), models.Q(('judge', ''), _negated=True)), ('state__in', ['waiting', 'running']), _connector='OR'), name='analysis_done_says_what'),
        ),
        migrations.AddConstraint(
            model_name='analysis',
            constraint=models.CheckConstraint(condition=models.Q(('confidence__isnull', True), models.Q(('confidence__gte', 0), ('confidence__lte', 1)), _connector='OR'), name='analysis_confidence_is_share'),
        ),
        migrations.AddConstraint(
            model_name='analysis',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running']), models.Q(('fallback', ''), ('judge', 'ai')), models.Q(('judge', 'rules'), models.Q(('fallback', ''), _negated=True)), _connector='OR'), name='analysis_rules_say_why'),
        ),
        migrations.AddConstraint(
            model_name='feedback',
            constraint=models.UniqueConstraint(fields=('analysis', 'actor'), name='feedback_once_per_person'),
        ),
        migrations.AddConstraint(
            model_name='knowncause',
            constraint=models.UniqueConstraint(fields=('exception', 'origin'), name='cause_once_per_origin'),
        ),
    ]
