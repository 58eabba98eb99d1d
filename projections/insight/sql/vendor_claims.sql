SELECT l.unit AS unit, if(c.same_as != '', c.same_as, l.of_case) AS error_id, l.claim AS claim, l.said AS said, l.amount AS amount, l.party AS party,
       l.reason AS reason, l.at AS at, l.source AS source, l.event_id AS event_id
FROM (
    SELECT {{unit}} AS unit, error_id AS of_case, JSONExtractString(payload, 'claim_id') AS claim, event_type AS said,
           if(currency IN ('', @currency), JSONExtract(payload, 'amount', 'String'), '') AS amount, JSONExtractString(payload, 'party_id') AS party,
           JSONExtractString(payload, 'reason') AS reason, occurred_at AS at, toString(source) AS source, event_id
    FROM {{.Ledger}}
    {{.First}} event_type IN {{events "claim.filed" "claim.accepted" "claim.settled" "claim.closed"}}
    {{.Then}} refused = '' AND {{.Known}} AND {{template "counts" .}}
        AND {{unit}} IN ({{template "vendor_units" .}})) AS l
LEFT JOIN ({{template "same_as" .}}) AS c ON c.unit = l.unit AND c.error_id = l.of_case
ORDER BY unit, error_id, claim, at, source, event_id
