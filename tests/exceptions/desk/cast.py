"""Many exceptions at once, in the schema that the connection stands in."""

from django.db import connection

# One in ten is acknowledged, one in progress, two resolved; of four merchants, three carriers, two warehouses.
MANY = """
INSERT INTO orders_order (merchant, order_id, carrier, warehouse)
SELECT (ARRAY['north', 'south', 'east', 'west'])[1 + n %% 4], 'SO-' || 1000000 + n,
  (ARRAY['dhl', 'ups', 'dpd'])[1 + n %% 3], (ARRAY['berlin', 'lyon'])[1 + n %% 2]
FROM generate_series(0, %s - 1) n;
INSERT INTO exceptions_record (order_id, merchant, order_ref, reason_code, status, severity, verdict, opened_at, due_at,
  stage, occurrence_key, priority, resolution, resolved_at, resolved_by, ended_at)
SELECT id, merchant, order_id, CASE n %% 3 WHEN 0 THEN 'PAYMENT_DELAY' ELSE 'FULFILLMENT_DELAY' END,
  CASE WHEN n %% 10 < 6 THEN 'OPEN' WHEN n %% 10 = 6 THEN 'ACKNOWLEDGED' WHEN n %% 10 = 7 THEN 'IN_PROGRESS' ELSE 'RESOLVED' END,
  (ARRAY['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[1 + n %% 4], CASE WHEN done THEN 'over' ELSE 'active' END,
  now() - n * interval '1 minute', now() - n * interval '1 minute', 'order_fulfillment', 'k', n * 7919 %% 200,
  CASE WHEN done THEN 'manual' END, CASE WHEN done THEN now() END, CASE WHEN done THEN 'person' END,
  CASE WHEN done THEN now() END
FROM (SELECT *, id - min(id) OVER () AS n, (id - min(id) OVER ()) %% 10 >= 8 AS done FROM orders_order) o;
ANALYZE orders_order; ANALYZE exceptions_record"""


def make_many(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MANY, [number])
