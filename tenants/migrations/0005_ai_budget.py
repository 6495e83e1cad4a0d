"""The day's tokens and the breaker of the AI provider. New tables only."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0004_history'),
    ]

    operations = [
        migrations.CreateModel(
            name='AiBreaker',
            fields=[
                ('name', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('failures', models.PositiveIntegerField(db_default=0)),
                ('trips', models.PositiveSmallIntegerField(db_default=0)),
                ('open_until', models.DateTimeField(null=True)),
                ('probing_until', models.DateTimeField(null=True)),
                ('reason', models.CharField(db_default='', max_length=40)),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='AiBudget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('schema', models.CharField(max_length=63)),
                ('reserved', models.BigIntegerField(db_default=0)),
                ('spent', models.BigIntegerField(db_default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('day', 'schema'), name='ai_budget_once_a_day'), models.CheckConstraint(condition=models.Q(('reserved__gte', 0), ('spent__gte', 0)), name='ai_budget_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='AiReservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('schema', models.CharField(max_length=63)),
                ('tokens', models.BigIntegerField()),
                ('used', models.BigIntegerField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('used__isnull', True)), fields=['created_at'], name='ai_open_claims')],
                'constraints': [models.CheckConstraint(condition=models.Q(('used__isnull', True), models.Q(('used__gte', 0), ('used__lte', models.F('tokens'))), _connector='OR'), name='ai_never_above_claim')],
            },
        ),
    ]
