"""Two reasons that are a source's, not an order's: it is silent, or orders of it are missing. No table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exceptions", "0001_tables")]

    operations = [
        migrations.AlterField(
            model_name="exceptionrecord",
            name="reason_code",
            field=models.CharField(
                choices=[
                    ("PAYMENT_DELAY", "Payment late"),
                    ("INVENTORY_DELAY", "Stock check late"),
                    ("PREPARATION_DELAY", "Packing late"),
                    ("FULFILLMENT_DELAY", "Handover to the carrier late"),
                    ("DELIVERY_DELAY", "Delivery late"),
                    ("PAYMENT_FAILED", "Payment failed"),
                    ("INVENTORY_SHORTAGE", "Out of stock"),
                    ("SHIPPING_DELAY", "Shipment delayed"),
                    ("DELIVERY_FAILED", "Delivery failed"),
                    ("ADDRESS_INVALID", "Address invalid"),
                    ("SOURCE_SILENT", "Source silent"),
                    ("ORDERS_MISSING", "Orders missing"),
                ],
                max_length=24,
            ),
        ),
    ]
