SELECT multiIf(
    NOT books, concat('The books are empty. Send a first event (README, Use it), look at made-up ones (makegood demo), or ',
        'plug in a till (makegood till --help).'),
    days = 0, 'Nothing was booked of what is chosen above: choose a longer time, another currency or all stores.',
    concat('Quality service cost ', written(net), ' from ', {{.from}}, ' to ', {{.to}}, '. ', written(hidden),
        ' of it is hidden: inside wages and fleet, where no ledger shows it as a failure''s cost. ',
        if(avoidable_net > 0, concat(written(avoidable_net), ' was marked avoidable: that is what serving right the first time would save. '),
            'None of it is marked avoidable yet. '),
        if(unmarked > 0, concat(written(unmarked), ' nobody has marked. '), ''),
        if(days * 10 < span * 8, concat('There are books of ', toString(days), ' of these ', toString(span), ' days only.'), ''))) AS "In a sentence"
FROM money, known, anything
