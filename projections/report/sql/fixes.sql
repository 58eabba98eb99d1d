notEmpty(account) AND refused = '' AND {{template "booked" .}} AND currency = @currency AND {{.Known}}
    AND (error_id != '' OR arrayExists(e -> {{leaks "e"}}, element))
