"""Two more reasons why the rules answered. No table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exceptions', '0005_priority'),
    ]

    operations = [
        migrations.AlterField(
            model_name='analysis',
            name='fallback',
            field=models.CharField(choices=[('history', 'The exception is history'), ('over', 'It is over already'), ('mode', 'The AI is switched off by AI_MODE'), ('no_key', 'No AI provider is set up'), ('clear', 'The case is clear without the AI'), ('switched_off', 'The AI was switched off because the rules did better'), ('busy', 'Too many exceptions at once for the AI'), ('budget', "The day's tokens are spent"), ('breaker', 'The AI provider is in trouble; it is asked again soon'), ('timeout', 'The AI did not answer in time'), ('rate_limited', 'The AI provider asked to wait'), ('refused', 'The AI provider refused the request'), ('unreachable', 'The AI provider could not be reached'), ('bad_answer', "The AI's answer did not hold"), ('low_confidence', 'The AI was not sure enough')], db_default='', max_length=16),
        ),
    ]
