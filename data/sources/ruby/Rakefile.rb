task default: %i[test]

task :test do
  Dir.glob('test/**/*_test.rb').each { |file| ruby file }
end
