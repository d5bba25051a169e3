function lend
  if test -n $argv[1]; and f $argv
    g $argv
  end
  for i in 1 2; echo $i; end
end
