"""Which occurrence an analysis was wanted for, and the index that finds those without. A new column with a default."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exceptions', '0006_analysis_reasons'),
        ('orders', '0002_dead_letter_replays'),
    ]

    operations = [
        migrations.AddField(
            model_name='exceptionrecord',
            name='analysed_occurrence',
            field=models.PositiveIntegerField(db_default=0),
        ),
        migrations.AddIndex(
            model_name='exceptionrecord',
            index=models.Index(condition=models.Q(('analysed_occurrence__lt', models.F('occurrence_count')), models.Q(('verdict', 'active'), models.Q(('history', False), ('verdict', 'over')), _connector='OR')), fields=['-id'], name='exception_to_analyse'),
        ),
    ]
