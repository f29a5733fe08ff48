// question: Who sends money to whom while both pay with the same instrument?
// columns: sender, receiver, transfers, amount_usd, first_seen, last_seen, instruments
// example:
MATCH (sender:Account)-[transfer:TRANSFERRED_TO]->(receiver:Account)
WHERE sender <> receiver
MATCH (sender)-[:PAID_WITH]->(instrument:PaymentInstrument)<-[:PAID_WITH]-(receiver)
WITH sender, receiver, transfer, instrument
ORDER BY instrument.instrument_id
WITH sender, receiver, transfer, collect(instrument.instrument_id) AS instruments
RETURN
  sender.account_id AS sender,
  receiver.account_id AS receiver,
  transfer.count AS transfers,
  transfer.amount_usd AS amount_usd,
  transfer.first_seen AS first_seen,
  transfer.last_seen AS last_seen,
  instruments
ORDER BY sender, receiver
