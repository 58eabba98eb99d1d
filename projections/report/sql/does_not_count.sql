standing IN ('double', 'waits', 'discarded', 'copied', 'voided')
